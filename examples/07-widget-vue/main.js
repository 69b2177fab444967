// Vue sets properties of elements where they have them, and listens to their events. In templates tell its
// compiler that the tag is an element of the page: `isCustomElement: (tag) => tag.startsWith('minnow-')`. npm
// run build && npx vite examples/07-widget-vue
import { createApp, h, ref } from 'vue'
import { defineMinnowChat } from 'minnow-llm/widget'

defineMinnowChat()

const DELIVERY = 'We ship to France in two days and to Spain in four.'

createApp({
  setup() {
    const chat = ref(null)
    const last = ref('Nothing was asked yet.')
    return () => [
      h('h1', 'Delivery'),
      h('p', DELIVERY),
      h(
        'button',
        { type: 'button', onClick: () => chat.value.ask('Where do you ship to?') },
        'Where do you ship to?',
      ),
      h('p', { role: 'status' }, last.value),
      // Where a bundle is put elsewhere than the package, set `model` to where its models are.
      h('minnow-chat', {
        ref: chat,
        label: 'Ask about delivery',
        context: () => DELIVERY,
        onMinnowAnswer: ({ detail }) => (last.value = detail.answer),
        onMinnowError: ({ detail }) => (last.value = detail.message),
      }),
    ]
  },
}).mount('#app')
