import { EXTRACT, SQL } from './data'
import type { Preset } from './preset'
import { REPLY, TRIAGE } from './support'
import { EXPLAIN, TUTOR } from './teaching'
import { REWRITE, SUMMARISE, TRANSLATE } from './writing'

/** The jobs a mini model is offered for, in the order they are shown. */
export const PRESETS: readonly Preset[] = [
  SUMMARISE,
  REWRITE,
  REPLY,
  TRIAGE,
  EXTRACT,
  EXPLAIN,
  SQL,
  TUTOR,
  TRANSLATE,
]
