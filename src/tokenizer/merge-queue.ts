/** Binary min-heap of candidate merges: lowest priority first, then lowest position. Kept between uses; grows. */
export class MergeQueue {
  #priorities = new Float64Array(64)
  #positions = new Int32Array(64)
  #length = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Of the first. */
  get priority(): number {
    return this.#priorities[0]!
  }

  /** Of the first. */
  get position(): number {
    return this.#positions[0]!
  }

  push(priority: number, position: number): void {
    if (this.#length === this.#positions.length) this.#grow()
    const priorities = this.#priorities
    const positions = this.#positions
    let child = this.#length++
    while (child > 0) {
      const parent = (child - 1) >> 1
      const above = priorities[parent]!
      if (above < priority || (above === priority && positions[parent]! <= position)) break
      priorities[child] = above
      positions[child] = positions[parent]!
      child = parent
    }
    priorities[child] = priority
    positions[child] = position
  }

  /** Takes the first off. Not for an empty queue. */
  pop(): void {
    const priorities = this.#priorities
    const positions = this.#positions
    const length = --this.#length
    const priority = priorities[length]!
    const position = positions[length]!
    let parent = 0
    for (;;) {
      let child = 2 * parent + 1
      if (child >= length) break
      if (child + 1 < length && this.#isBefore(child + 1, child)) child++
      const below = priorities[child]!
      if (below > priority || (below === priority && positions[child]! >= position)) break
      priorities[parent] = below
      positions[parent] = positions[child]!
      parent = child
    }
    priorities[parent] = priority
    positions[parent] = position
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#priorities[a]! - this.#priorities[b]!
    return difference < 0 || (difference === 0 && this.#positions[a]! < this.#positions[b]!)
  }

  #grow(): void {
    const priorities = new Float64Array(this.#length * 2)
    const positions = new Int32Array(this.#length * 2)
    priorities.set(this.#priorities)
    positions.set(this.#positions)
    this.#priorities = priorities
    this.#positions = positions
  }
}
