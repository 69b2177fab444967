import { bytesField, floatField, integerField, textField, type Message } from './protobuf'

/** Field numbers and enumerations of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const
type ElementType = keyof typeof ELEMENT_TYPES

const IR_VERSION = 9
const OPSETS = { '': 18, 'com.microsoft': 1 } as const

export interface NodeOptions {
  readonly outputs?: readonly string[]
  readonly domain?: keyof typeof OPSETS
  readonly integers?: Readonly<Record<string, number>>
  readonly floats?: Readonly<Record<string, number>>
}

/** Collects nodes and tensors and writes them as an ONNX model. Names of values are given by the caller. */
export class OnnxGraph {
  readonly #nodes: Message[] = []
  readonly #tensors = new Map<string, Message>()
  readonly #inputs: Message[] = []
  readonly #outputs: Message[] = []

  /** A dimension is a number, or the name of one that is known at run time. */
  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, type, shape))
    return name
  }

  output(name: string, type: ElementType, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, type, shape))
  }

  tensor(
    name: string,
    shape: readonly number[],
    data: Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array,
  ): string {
    if (shape.reduce((product, length) => product * length, 1) !== data.length) {
      throw new Error(`${name} has ${data.length} elements, not ${shape.join(' × ')}`)
    }
    if (this.#tensors.has(name)) throw new Error(`There are two tensors ${name}`)
    this.#tensors.set(name, [
      ...shape.flatMap((length) => integerField(1, length)),
      ...integerField(2, ELEMENT_TYPES[elementTypeOf(data)]),
      ...textField(8, name),
      ...bytesField(9, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
    ])
    return name
  }

  /** `outputs` are one value of the node's own name, unless given. '' stands for an input or output left out. */
  node(
    name: string,
    operator: string,
    inputs: readonly string[],
    { outputs = [name], domain = '', integers = {}, floats = {} }: NodeOptions = {},
  ): string {
    this.#nodes.push([
      ...inputs.flatMap((input) => textField(1, input)),
      ...outputs.flatMap((output) => textField(2, output)),
      ...textField(3, name),
      ...textField(4, operator),
      ...Object.entries(integers).flatMap(([key, value]) => attribute(key, 2, integerField(3, value))),
      ...Object.entries(floats).flatMap(([key, value]) => attribute(key, 1, floatField(2, value))),
      ...textField(7, domain),
    ])
    return outputs[0] ?? name
  }

  /** The ModelProto, in pieces. */
  model(name: string): Message {
    const graph = [
      ...this.#nodes.flatMap((node) => bytesField(1, node)),
      ...textField(2, name),
      ...[...this.#tensors.values()].flatMap((tensor) => bytesField(5, tensor)),
      ...this.#inputs.flatMap((info) => bytesField(11, info)),
      ...this.#outputs.flatMap((info) => bytesField(12, info)),
    ]
    return [
      ...integerField(1, IR_VERSION),
      ...textField(2, 'minnow-llm'),
      ...bytesField(7, graph),
      ...Object.entries(OPSETS).flatMap(([domain, version]) =>
        bytesField(8, [...textField(1, domain), ...integerField(2, version)]),
      ),
    ]
  }
}

/** The second argument is AttributeProto.AttributeType. */
function attribute(name: string, type: number, value: Message): Message {
  return bytesField(5, [...textField(1, name), ...value, ...integerField(20, type)])
}

function valueInfo(name: string, type: ElementType, shape: readonly (number | string)[]): Message {
  const dimensions = shape.flatMap((dimension) =>
    bytesField(1, typeof dimension === 'number' ? integerField(1, dimension) : textField(2, dimension)),
  )
  const tensorType = [...integerField(1, ELEMENT_TYPES[type]), ...bytesField(2, dimensions)]
  return [...textField(1, name), ...bytesField(2, bytesField(1, tensorType))]
}

function elementTypeOf(data: object): ElementType {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Uint8Array) return 'uint8'
  if (data instanceof Int8Array) return 'int8'
  return data instanceof Int32Array ? 'int32' : 'int64'
}
