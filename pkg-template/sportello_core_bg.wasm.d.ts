// What an import of the WebAssembly file gives is for the bundler to say: its address, its bytes or the compiled module. `initWasm` takes each.
import type { WasmSource } from "./index.js";

declare const source: WasmSource;
export default source;
