/** What can go wrong with a remote. */
export type Fault = HeadFault | BreakFault | Variation

/** Instead of an answer. */
export type HeadFault =
  /** The connection is torn down before a response. */
  | { kind: 'refuse' }
  /** Another status than 200. `body` is sent as JSON unless it is a string. */
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  /** Nothing comes, not even the response's head. */
  | { kind: 'hang-before-head' }
  /** Status 200, but of this type. */
  | { kind: 'other-type'; type: string; body: string }
  | { kind: 'redirect'; to: string }

/** The stream breaks when so many pieces of the answer were sent. */
export type BreakFault = { after: number } & (
  | { kind: 'hang' }
  /** As 'hang', with comments and empty parts all along, as servers send to keep connections open. */
  | { kind: 'hang-with-comments' }
  /** The connection is torn down. */
  | { kind: 'cut'; where: CutPlace }
  /** The response ends well, the answer does not. */
  | { kind: 'early-end'; where: CutPlace }
  | { kind: 'garbage'; what: 'bytes' | 'json' | 'lines' | 'other-json' }
  /** A byte at a time, so slowly that no event comes to its end. */
  | { kind: 'slow-loris' }
  /** Pieces without end. */
  | { kind: 'endless' }
  /** One event of this size, without an end of line. */
  | { kind: 'long-line'; bytes: number }
  /** The error comes inside of the stream, as this line. */
  | { kind: 'error-event'; line: string }
  /** Ends with this reason. */
  | { kind: 'finish'; reason: string }
)

/** Answers that are right, but not as usual. */
export type Variation =
  /** A whole answer although a stream was asked for. */
  | { kind: 'not-streamed' }
  | { kind: 'no-usage' }
  /** Pieces of hidden thoughts first, `count` of them, `everyMs` apart. */
  | { kind: 'thoughts'; count: number; everyMs: number }
  /** Calls of tools in the place of text, their arguments in pieces. */
  | { kind: 'calls'; calls: readonly { name: string; arguments: string }[] }
  /** A wait before each piece. */
  | { kind: 'slow'; everyMs: number }

export type CutPlace = 'between-events' | 'in-event' | 'in-character'
