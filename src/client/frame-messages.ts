/**
 * What a page and the frame `embed.html` say before they have a port of their own; it carries nothing secret.
 */

/** Frame to page: its script runs. */
export const FRAME_READY = 'minnow-frame-ready-1'
/** Page to frame, with the port on which the frame then acts as a worker does (`worker/api.ts`). */
export const FRAME_CONNECT = 'minnow-frame-connect-1'
