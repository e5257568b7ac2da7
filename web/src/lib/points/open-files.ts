import { goto } from '$app/navigation'
import { api, ApiError, ask, idempotencyKey } from '#lib/api/index.ts'
import { toast } from '#lib/ui/index.ts'

/** Opens a point, for its files or to take whole disks, and goes there; what stands in the way is told in a toast. */
export async function openFiles(pointId: string, view: 'files' | 'disks' = 'files'): Promise<void> {
  try {
    const body = { pointId, disks: null, view, idleMinutes: 15, reason: '', tuning: {} }
    const { workflowId } = await ask(api.POST('/files', { params: { header: idempotencyKey() }, body }))
    await goto(`/${workflowId}`)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    toast({ tone: 'fail', text: `${error.message} ${error.hint}` })
  }
}
