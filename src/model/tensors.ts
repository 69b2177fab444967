import { EngineError } from '../contract/error'
import type { Gguf, GgufTensor } from '../gguf/types'

/** Takes tensors out of a file by name and checks their shape and type; remembers which were taken. */
export class TensorTaker {
  readonly #tensors: Gguf['tensors']
  readonly #taken = new Set<string>()

  constructor(gguf: Gguf) {
    this.#tensors = gguf.tensors
  }

  /** A matrix of any supported type. @throws EngineError 'invalid-model' where it is absent or of another shape. */
  matrix(name: string, columns: number, rows: number): GgufTensor {
    const tensor = this.optionalMatrix(name, columns, rows)
    if (tensor === null) throw missing(name)
    return tensor
  }

  optionalMatrix(name: string, columns: number, rows: number): GgufTensor | null {
    return this.#take(name, [columns, rows])
  }

  /** A norm or a bias, kept as plain floats. */
  vector(name: string, length: number): GgufTensor {
    const tensor = this.optionalVector(name, length)
    if (tensor === null) throw missing(name)
    return tensor
  }

  optionalVector(name: string, length: number): GgufTensor | null {
    const tensor = this.#take(name, [length])
    if (tensor !== null && tensor.type !== 'F32' && tensor.type !== 'F16' && tensor.type !== 'BF16') {
      throw new EngineError(
        'invalid-model',
        `Tensor ${name} is of type ${tensor.type}; norms and biases must be F32, F16 or BF16.`,
        { details: { tensor: name, type: tensor.type } },
      )
    }
    return tensor
  }

  /**
   * A tensor we do not know would silently change nothing, and the answers would be wrong.
   * @throws EngineError 'unsupported' naming the first tensor that nothing took.
   */
  finish(architecture: string): void {
    const unused = [...this.#tensors.keys()].filter((name) => !this.#taken.has(name))
    const first = unused[0]
    if (first === undefined) return
    throw new EngineError(
      'unsupported',
      `The model has ${unused.length} tensor(s) this ${architecture} implementation does not know, ` +
        `the first is ${first}; it is a variant that cannot run here.`,
      { details: { architecture, tensor: first, count: unused.length } },
    )
  }

  #take(name: string, shape: readonly number[]): GgufTensor | null {
    const tensor = this.#tensors.get(name)
    if (tensor === undefined) return null
    if (!sameShape(tensor.shape, shape)) {
      throw new EngineError(
        'invalid-model',
        `Tensor ${name} has shape [${tensor.shape.join(', ')}], its metadata asks for [${shape.join(', ')}].`,
        { details: { tensor: name } },
      )
    }
    this.#taken.add(name)
    return tensor
  }
}

/** Dimensions of 1 at the end mean nothing in GGUF. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if ((a[i] ?? 1) !== (b[i] ?? 1)) return false
  return true
}

function missing(name: string): EngineError {
  return new EngineError(
    'invalid-model',
    `The model lacks tensor ${name}; the file is incomplete or damaged.`,
    {
      details: { tensor: name },
    },
  )
}
