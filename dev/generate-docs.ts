// Writes the pages that derive from tables in the code, and the descriptors that derive from proto/. A test fails when they are stale.
import { writeFileSync } from 'node:fs'
import { descriptors } from './descriptors.ts'
import { generatedPages } from './generated-pages.ts'

for (const [name, content] of Object.entries(generatedPages())) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), content)
  console.log(`docs/${name}`)
}

writeFileSync(new URL('../proto/descriptors.binpb', import.meta.url), descriptors())
console.log('proto/descriptors.binpb')
