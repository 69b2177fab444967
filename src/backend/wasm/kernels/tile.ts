/**
 * Inputs of four tokens side by side, so that one pointer reaches all: for each block of 32 columns 8 quads × 4 tokens,
 * then the metadata of the four (activations.ts).
 */
import { BLOCK_META_BYTES, codesOf, metaOf } from './activations'
import { BLOCK_ACTIVATION_BYTES } from './dot'

export const TILE_CODES_BYTES: usize = 4 * BLOCK_ACTIVATION_BYTES
/** The same quad of all four. */
export const TILE_QUAD_BYTES: usize = TILE_CODES_BYTES / 8
export const TILE_BLOCK_BYTES: usize = TILE_CODES_BYTES + 4 * BLOCK_META_BYTES

/** Copies one token's record to its place (0…3) in a tile. */
export function placeInTile(record: usize, columns: i32, tile: usize, place: usize): void {
  const quadBytes = BLOCK_ACTIVATION_BYTES / 8
  let from = codesOf(record, columns)
  let fromMeta = metaOf(record, columns)
  let to = tile + place * quadBytes
  let toMeta = tile + TILE_CODES_BYTES + place * BLOCK_META_BYTES
  for (let b = columns >> 5; b > 0; b--) {
    for (let q: usize = 0; q < 8; q++) {
      if (DOT == 0) store<u64>(to + q * TILE_QUAD_BYTES, load<u64>(from + q * quadBytes))
      else store<u32>(to + q * TILE_QUAD_BYTES, load<u32>(from + q * quadBytes))
    }
    v128.store(toMeta, v128.load(fromMeta))
    from += BLOCK_ACTIVATION_BYTES
    fromMeta += BLOCK_META_BYTES
    to += TILE_BLOCK_BYTES
    toMeta += TILE_BLOCK_BYTES
  }
}
