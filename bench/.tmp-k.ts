import { readFileSync } from 'node:fs'
import { selectTopK } from '../src/engine/sampling/top-k'
import { Candidates } from '../src/engine/sampling/candidates'
const V=49152
const f=readFileSync('/tmp/eng/rows.bin');const all=new Float32Array(f.buffer,f.byteOffset,f.length/4)
const rows=Array.from({length:all.length/V},(_,i)=>all.slice(i*V,(i+1)*V))
function sink(heap: Candidates, start: number, size: number): void {
  const { ids, logits } = heap
  const id = ids[start]!
  const logit = logits[start]!
  let i = start
  for (let child = 2 * i + 1; child < size; child = 2 * i + 1) {
    if (child + 1 < size && heap.before(child, child + 1)) child++
    const childLogit = logits[child]!
    const childId = ids[child]!
    if (childLogit > logit || (childLogit === logit && childId < id)) break
    ids[i] = childId
    logits[i] = childLogit
    i = child
  }
  ids[i] = id
  logits[i] = logit
}
function nextAbove(logits: Float32Array, from: number, worst: number): number {
  for (let id = from; id < logits.length; id++) if (logits[id]! > worst) return id
  return -1
}
function nextAbove4(logits: Float32Array, from: number, worst: number): number {
  let id = from
  for (; id + 3 < logits.length; id += 4) if (logits[id]! > worst || logits[id+1]! > worst || logits[id+2]! > worst || logits[id+3]! > worst) break
  for (; id < logits.length; id++) if (logits[id]! > worst) return id
  return -1
}
function make(next:typeof nextAbove){return (logits: Float32Array, k: number, out: Candidates): void => {
  const size = Math.min(k, logits.length)
  out.count = size
  out.reserve(size)
  for (let id = 0; id < size; id++) { out.ids[id] = id; out.logits[id] = logits[id]! }
  for (let i = (size >>> 1) - 1; i >= 0; i--) sink(out, i, size)
  for (let id = next(logits, size, out.logits[0]!); id >= 0; id = next(logits, id + 1, out.logits[0]!)) {
    out.ids[0] = id
    out.logits[0] = logits[id]!
    sink(out, 0, size)
  }
  for (let end = size - 1; end > 0; end--) { out.swap(0, end); sink(out, 0, end) }
}}
const a1=make(nextAbove),a4=make(nextAbove4)
const out=new Candidates()
for(const [name,fn] of [['topk40',(r:Float32Array)=>selectTopK(r,40,out)],['next',(r:Float32Array)=>a1(r,40,out)],['next4',(r:Float32Array)=>a4(r,40,out)]] as const){
 const t=[];for(let i=0;i<2000;i++){const a=performance.now();fn(rows[i%rows.length]!);t.push(performance.now()-a)}t.sort((a,b)=>a-b);console.log(name,'p10',(t[200]!*1e3).toFixed(1),'med',(t[1000]!*1e3).toFixed(1))}
