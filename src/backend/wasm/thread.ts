/** Entry of a kernels' thread in browsers: takes part in jobs until it is terminated. */
import type { ThreadStart } from './thread-pool'

globalThis.onmessage = ({ data: { module, memory, index, count } }: MessageEvent<ThreadStart>) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  globalThis.postMessage('ready')
  ;(exports['serve'] as (index: number, count: number) => void)(index, count)
}
