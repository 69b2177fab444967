import type { EngineErrorCode } from '../contract/error'

/** What happened and what to do, for people; the technical message is shown beside it. */
export const ERROR_WORDS: Readonly<Record<EngineErrorCode, string>> = {
  aborted: 'This was stopped.',
  disposed: 'The model was closed.',
  'invalid-argument': 'The model was asked for something it cannot do.',
  unsupported: 'This browser or device cannot run this model.',
  'invalid-model': 'The model file is damaged or not a model.',
  integrity: 'The model arrived damaged. Trying again downloads the damaged part once more.',
  network: 'The connection failed. Check it and try again.',
  timeout: 'The remote model took too long.',
  unauthorized: 'The remote model refused the key. Check it in the settings.',
  'rate-limited': 'The remote model wants fewer questions. Try again in a while.',
  'quota-exceeded': 'The account at the remote model has nothing left to spend.',
  'content-policy': 'The remote model refuses to answer this.',
  unavailable: 'The remote model is out of order. Try again in a while.',
  'invalid-response': 'The remote model answered something that is no answer.',
  offline: 'There is no network. The question can be asked again when it is back.',
  forbidden: 'Nothing was sent: the settings, the budget or privacy do not allow it.',
  'out-of-memory': 'There is not enough memory for the model. Closing other tabs may help.',
  'storage-full': 'The browser has no room left for models. Deleting one makes room.',
  'storage-busy': 'Another tab is using this model. Close that tab and try again.',
  'context-overflow':
    'This conversation is longer than the model can read. Start a new one, or ask with fewer words.',
  'worker-lost': 'The model stopped unexpectedly. Trying again starts it anew.',
  'device-lost': 'The graphics card stopped. Trying again starts it anew.',
  internal: 'Something went wrong inside Minnow.',
}
