/** Kafka's VerifiableProducer at its default settings, a hundred records a second: it prints a line for each that was acknowledged. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Acknowledgements } from './acknowledgements.ts'
import { javaArguments } from './java-tools.ts'

export class JavaSender implements AsyncDisposable {
  readonly acknowledged: Acknowledgements
  readonly #process: ChildProcess

  constructor(bootstrap: string, topic: string) {
    this.acknowledged = new Acknowledgements(topic)
    const args = ['--bootstrap-server', bootstrap, '--topic', topic, '--throughput', '100']
    const child = spawn('java', javaArguments('verifiable-producer', args), {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#process = child
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { name, value } = JSON.parse(line) as { name: string; value?: string }
      if (name === 'producer_send_success') this.acknowledged.note(Number(value))
    })
  }

  /** Stops sending, and waits for what is under way. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'close')
    this.#process.kill('SIGTERM')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
