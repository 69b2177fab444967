/**
 * What a header may claim. Real models stay far below each of these (the largest vocabularies have some 260,000
 * entries and headers of 10 MB); a file beyond them is refused before anything is allocated for it.
 * Together they keep what a hostile header can make us hold below some 200 MiB.
 */
export const maxHeaderBytes = 32 * 2 ** 20
export const maxMetadataEntries = 65_536
export const maxTensors = 65_536
/** Of one metadata array. */
export const maxArrayLength = 1_048_576
/** Arrays in arrays; llama.cpp writes none, the format allows them. */
export const maxArrayDepth = 4
/** Booleans and arrays in arrays, all together: they take far more memory than file. */
export const maxBoxedValues = 262_144
export const maxStringBytes = 8 * 2 ** 20
/** Of a key; the format's own limit. */
export const maxKeyBytes = 65_535
/** Of a tensor's name; the format says 64, some builds of ggml allow more. */
export const maxTensorNameBytes = 256
/** The format's own limit. */
export const maxDimensions = 4
export const maxAlignmentBytes = 2 ** 20
