/**
 * `npm run bench` measures the CPU backend against other engines (run.ts); `npm run bench -- webgpu` the WebGPU
 * backend (webgpu.ts). Each reads its own options.
 */
if (process.argv[2] === 'webgpu') await import('./webgpu')
else await import('./run')
