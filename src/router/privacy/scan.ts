import { detectAddresses } from './addresses'
import { DOUBTFUL_DETECTORS } from './doubtful'
import { mergeFindings, type Detector, type Finding } from './finding'
import { FORMAT_DETECTORS } from './formats'
import { detectNames } from './names'
import { plainText } from './plain-text'

const STANDARD: readonly Detector[] = [...FORMAT_DETECTORS, detectAddresses, detectNames]
const STRICT: readonly Detector[] = [...STANDARD, ...DOUBTFUL_DETECTORS]

/**
 * Minnow's own scan. 'strict' also takes whatever may be personal; see docs/decisions/0005-personal-data.md for what each finds.
 * A text is looked at as it is written and as it looks (`plainText`): either may hide what the other shows.
 */
export function createScan(level: 'standard' | 'strict'): (text: string) => readonly Finding[] {
  const detectors = level === 'strict' ? STRICT : STANDARD
  const detectAll = (text: string): Finding[] => detectors.flatMap((detect) => detect(text))
  return (text) => {
    const plain = plainText(text)
    if (plain === null) return mergeFindings(detectAll(text))
    const behind = detectAll(plain.text).map(({ kind, start, end }) => ({
      kind,
      start: plain.sourceOf(start).start,
      end: plain.sourceOf(end - 1).end,
    }))
    return mergeFindings([...behind, ...detectAll(text)])
  }
}
