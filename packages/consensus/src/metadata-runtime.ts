/**
 * The one writer of the metadata: decide, append durably, replay, answer. Commands run one after the other; each is
 * durable before it is answered.
 */
import {
  type Decision,
  emptyImage,
  type MetadataImage,
  type MetadataRecord,
  replay,
} from '@naru/metadata'
import { MetadataStoreError } from './errors.ts'
import { MetadataStore } from './metadata-store.ts'

type Decide<R> = (image: MetadataImage) => Decision<R>
export type MetadataListener = (records: readonly MetadataRecord[]) => Promise<void>

export class MetadataRuntime implements AsyncDisposable {
  readonly image: MetadataImage
  readonly #store: MetadataStore
  readonly #listeners: MetadataListener[] = []
  #last: Promise<unknown> = Promise.resolve()
  #failed: MetadataStoreError | undefined

  private constructor(store: MetadataStore, image: MetadataImage) {
    this.#store = store
    this.image = image
  }

  static async open(directory: string): Promise<MetadataRuntime> {
    const image = emptyImage()
    const store = await MetadataStore.open(directory, (record) => replay(image, record))
    return new MetadataRuntime(store, image)
  }

  /** Index of the last durable entry. */
  get lastIndex(): bigint {
    return this.#store.lastIndex
  }

  /** `listener` is called after each change, and the answer to the command waits for it. */
  onChange(listener: MetadataListener): void {
    this.#listeners.push(listener)
  }

  /** Runs one command. Rejects with APPEND_FAILED when the disk fails: nothing is decided after that. */
  submit<R>(decide: Decide<R>): Promise<R> {
    const result = this.#last.then(() => this.#run(decide))
    // The next command runs whatever becomes of this one; a failed store refuses it there.
    this.#last = result.catch(() => {})
    return result
  }

  async #run<R>(decide: Decide<R>): Promise<R> {
    if (this.#failed !== undefined) throw this.#failed
    const { records, response } = decide(this.image)
    if (records.length === 0) return response
    await this.#append(records)
    for (const record of records) replay(this.image, record)
    for (const listener of this.#listeners) await listener(records)
    return response
  }

  async #append(records: readonly MetadataRecord[]): Promise<void> {
    try {
      await this.#store.append(records)
    } catch (cause) {
      this.#failed = new MetadataStoreError('APPEND_FAILED', {
        directory: '',
        message: 'Cannot write the metadata log',
        hint: 'Check the disk of metadata.log.dir, then start the broker again',
        cause,
      })
      throw this.#failed
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    await this.#store.close()
  }
}
