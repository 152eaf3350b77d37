// Writes the pages that derive from tables in the code. A test fails when they are stale.
import { writeFileSync } from 'node:fs'
import { generatedPages } from './generated-pages.ts'

for (const [name, content] of Object.entries(generatedPages())) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), content)
  console.log(`docs/${name}`)
}
