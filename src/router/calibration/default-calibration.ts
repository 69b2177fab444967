import { parseCalibration, type Calibration } from './schema'

/** SHA-256 of the model that ships with Minnow: SmolLM2-135M-Instruct, Q4_1. */
const EMBEDDED_MODEL = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'

/**
 * The calibration that ships with Minnow, loaded when it is asked for; null for other models than the embedded one.
 * @param modelHash `EngineInfo.modelHash` of the local engine
 */
export async function loadDefaultCalibration(modelHash: string | undefined): Promise<Calibration | null> {
  if (modelHash !== EMBEDDED_MODEL) return null
  const { embeddedCalibration } = await import('./embedded-calibration')
  return parseCalibration(embeddedCalibration)
}
