import { detectAddresses } from './addresses'
import { DOUBTFUL_DETECTORS } from './doubtful'
import { mergeFindings, type Detector, type Finding } from './finding'
import { FORMAT_DETECTORS } from './formats'
import { detectNames } from './names'

const STANDARD: readonly Detector[] = [...FORMAT_DETECTORS, detectAddresses, detectNames]
const STRICT: readonly Detector[] = [...STANDARD, ...DOUBTFUL_DETECTORS]

/** Minnow's own scan. 'strict' also takes whatever may be personal; see docs/decisions/0005-personal-data.md for what each finds. */
export function createScan(level: 'standard' | 'strict'): (text: string) => readonly Finding[] {
  const detectors = level === 'strict' ? STRICT : STANDARD
  return (text) => mergeFindings(detectors.flatMap((detect) => detect(text)))
}
