import { remote } from './page'
import type { PageBackend, PageModel } from './backend-worker'
import type { SessionStep, StepResult } from './session-script'

/** For browsers that no driver is at hand for: the page asks its server for one task after the other. */
export interface Task {
  model: PageModel
  backend: PageBackend
  contextLength: number
  steps: SessionStep[]
}

export type TaskResult = { results: StepResult[] } | { error: string }

async function run({ model, backend, contextLength, steps }: Task): Promise<TaskResult> {
  try {
    await remote.open(model, backend)
    return { results: await remote.run(contextLength, steps) }
  } catch (error) {
    return { error: String(error) }
  }
}

for (;;) {
  const response = await fetch('/task')
  if (response.status === 204) break
  const result = await run((await response.json()) as Task)
  await fetch('/result', { method: 'POST', body: JSON.stringify(result) })
}
