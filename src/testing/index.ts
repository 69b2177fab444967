/** For tests of what stands on Minnow: an engine and a backend that do what they are told. */
export { createByteTokenizer, type ByteTokenizer } from './byte-tokenizer'
export {
  createMockBackend,
  type MockBackend,
  type MockBackendOptions,
  type MockForward,
} from './mock-backend'
export { createMockEngine, type MockEngine, type MockEngineOptions } from './mock-engine'
