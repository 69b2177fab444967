import type { ToolCall, ToolCallDelta } from '../contract/tools'

/** Adds pieces of calls, as they come in a stream, to the calls they belong to. */
export function joinCalls(calls: ToolCall[], pieces: readonly ToolCallDelta[]): void {
  for (const { index, id, function: piece } of pieces) {
    const call = (calls[index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } })
    if (id !== undefined) call.id = id
    call.function.name += piece?.name ?? ''
    call.function.arguments += piece?.arguments ?? ''
  }
}
