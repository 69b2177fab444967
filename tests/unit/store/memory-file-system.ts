/** An origin private file system in memory: what the store uses of one, with room for so many bytes. */
export class MemoryFolder {
  readonly kind = 'directory'
  readonly #entries = new Map<string, MemoryFolder | MemoryFile>()
  readonly #disk: Disk

  constructor(disk: Disk = { freeBytes: Infinity }) {
    this.#disk = disk
  }

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<MemoryFolder> {
    const found = this.#entries.get(name)
    if (found instanceof MemoryFolder) return found
    if (!create) throw notFound(name)
    const made = new MemoryFolder(this.#disk)
    this.#entries.set(name, made)
    return made
  }

  async getFileHandle(name: string, { create = false } = {}): Promise<MemoryFile> {
    const found = this.#entries.get(name)
    if (found instanceof MemoryFile) return found
    if (!create) throw notFound(name)
    const made = new MemoryFile(this.#disk)
    this.#entries.set(name, made)
    return made
  }

  async removeEntry(name: string): Promise<void> {
    const found = this.#entries.get(name)
    if (found === undefined) throw notFound(name)
    for (const file of filesOf(found)) {
      if (file.users > 0) throw new DOMException(`${name} is open`, 'NoModificationAllowedError')
    }
    for (const file of filesOf(found)) this.#disk.freeBytes += file.bytes.length
    this.#entries.delete(name)
  }

  async *entries(): AsyncGenerator<[string, MemoryFolder | MemoryFile]> {
    yield* this.#entries
  }

  values(): Iterable<MemoryFolder | MemoryFile> {
    return this.#entries.values()
  }
}

export interface Disk {
  freeBytes: number
  /** Writes fail although there was room: they throw, or, as in Chromium, give an error's number as a count. */
  isBroken?: 'throws' | 'counts'
}

export class MemoryFile {
  readonly kind = 'file'
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  users = 0
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async getFile(): Promise<Blob> {
    return new Blob([this.bytes])
  }

  async createSyncAccessHandle(options: { mode?: string } = {}): Promise<MemoryHandle> {
    if (this.users > 0 && options.mode !== 'readwrite-unsafe') {
      throw new DOMException('open elsewhere', 'NoModificationAllowedError')
    }
    this.users++
    return new MemoryHandle(this, this.#disk)
  }
}

class MemoryHandle {
  readonly #file: MemoryFile
  readonly #disk: Disk
  #isOpen = true

  constructor(file: MemoryFile, disk: Disk) {
    this.#file = file
    this.#disk = disk
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    this.#check()
    const bytes = this.#file.bytes.subarray(at, at + into.length)
    into.set(bytes)
    return bytes.length
  }

  write(bytes: Uint8Array, { at }: { at: number }): number {
    this.#check()
    if (this.#disk.isBroken === 'throws') throw new DOMException('no room', 'QuotaExceededError')
    if (this.#disk.isBroken === 'counts') return 0xffff_fff8
    if (at + bytes.length > this.#file.bytes.length) this.truncate(at + bytes.length)
    this.#file.bytes.set(bytes, at)
    return bytes.length
  }

  truncate(sizeBytes: number): void {
    this.#check()
    const old = this.#file.bytes
    const more = sizeBytes - old.length
    if (more > this.#disk.freeBytes) throw new DOMException('no room', 'QuotaExceededError')
    this.#disk.freeBytes -= more
    this.#file.bytes = new Uint8Array(sizeBytes)
    this.#file.bytes.set(old.subarray(0, sizeBytes))
  }

  getSize(): number {
    this.#check()
    return this.#file.bytes.length
  }

  flush(): void {
    this.#check()
  }

  close(): void {
    if (this.#isOpen) this.#file.users--
    this.#isOpen = false
  }

  #check(): void {
    if (!this.#isOpen) throw new DOMException('the handle is closed', 'InvalidStateError')
  }
}

function* filesOf(entry: MemoryFolder | MemoryFile): Generator<MemoryFile> {
  if (entry instanceof MemoryFile) yield entry
  else for (const each of entry.values()) yield* filesOf(each)
}

function notFound(name: string): DOMException {
  return new DOMException(`there is no ${name}`, 'NotFoundError')
}
