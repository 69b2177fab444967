/** The one script of a page that embeds Minnow: `<script type="module" src="…/widget.js"></script>`. */
import { defineMinnowChat } from './define-minnow-chat'

defineMinnowChat()
