/**
 * What a header may claim. Real models stay far below each of these (the largest vocabularies have some 300,000
 * entries and headers of 20 MB); a file beyond them is refused before anything is allocated for it.
 */
export const maxHeaderBytes = 64 * 2 ** 20
export const maxMetadataEntries = 65_536
export const maxTensors = 65_536
/** Of one metadata array. */
export const maxArrayLength = 4_194_304
/** Arrays in arrays; llama.cpp writes none, the format allows them. */
export const maxArrayDepth = 4
export const maxStringBytes = 8 * 2 ** 20
/** Of a key; the format's own limit. */
export const maxKeyBytes = 65_535
/** Of a tensor's name; the format says 64, some builds of ggml allow more. */
export const maxTensorNameBytes = 256
/** The format's own limit. */
export const maxDimensions = 4
export const maxAlignmentBytes = 2 ** 20
