import type { Piece } from './pieces'

/** Where model files lie on this device. A model is a record (JSON) and a file, under one key. */
export interface ModelStorage {
  readonly kind: 'opfs' | 'indexed-db'
  /** Of all models that are here, whole or in part. */
  keys(): Promise<string[]>
  /** undefined where there is none, or it can't be read. */
  readRecord(key: string): Promise<unknown>
  /** Whoever reads meanwhile sees the old one or the new one. Rejects with 'storage-full'. */
  writeRecord(key: string, record: unknown): Promise<void>
  /** Opens a model's file; makes room for all of it where it is new. Rejects with 'storage-full'. */
  openFile(key: string, pieces: readonly Piece[]): Promise<PieceFile>
  /** (count) 1 for each of so many pieces that is here; without opening the file. */
  held(key: string, count: number): Promise<Uint8Array>
  /** The file as it lies there, to take along. */
  toBlob(key: string): Promise<Blob>
  /** Rejects with 'storage-busy' while another tab has it open. */
  delete(key: string): Promise<void>
}

/** A model's file, of which pieces are here or not. */
export interface PieceFile {
  /** (pieces) 1 where a piece was verified and written. */
  readonly held: Uint8Array
  /**
   * A piece: an array on `into`, or on what that was transferred to. Shorter than the piece, or with other bytes, where
   * the file was damaged.
   */
  read(piece: Piece, into: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>
  /** Writes a verified piece and marks it as held. Rejects with 'storage-full'. */
  write(piece: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** Takes the mark away. */
  forget(piece: Piece): Promise<void>
  close(): void
}
