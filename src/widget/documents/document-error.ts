import { EngineError } from '../../contract/error'

/** Why a file cannot be used, as `details.reason` of an 'invalid-argument'. */
export type DocumentFault =
  | 'too-large' // the file has too many bytes, or its text too many characters
  | 'too-many-pages'
  | 'too-many' // as many documents as a conversation holds are there
  | 'no-text' // nothing to read in it, for instance a scan
  | 'password'
  | 'broken' // not what it says it is
  | 'not-text' // a kind of file that is not read

export function documentError(reason: DocumentFault, message: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', message, {
    details: { reason },
    ...(cause === undefined ? {} : { cause }),
  })
}
