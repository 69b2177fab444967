// Numbers of https://www.w3.org/TR/webgpu/, whose namespaces TypeScript's library does not declare.

export const BufferUsage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 }
export const MapMode = { read: 0x1 }
export const ShaderStage = { compute: 0x4 }
