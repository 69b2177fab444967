import type { NoteStorage } from '../backend/device/notes'
import { loadBackend } from '../backend/select'
import type { ByteSource } from '../contract/bytes'
        threads: options.threads,
        kvCache: options.kvCache,
        preference: options.backend,
        powerPreference: options.powerPreference,
        probe: opened.probe,
        sampleTokens: Array.from(tokenizer.encode(SAMPLE_TEXT)),
        modelKey: opened.modelHash ?? opened.id,
        notes,
        reopen: (again) => openModel(reference, { signal: again, onProgress: () => undefined }),
