// Predictions of an ONNX model: node predict.mjs MODEL COLUMNS < rows.csv; an empty field is missing.
import fs from "node:fs";
import * as ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;
const columns = Number(process.argv[3]);
const rows = fs.readFileSync(0, "utf8").trim().split("\n")
    .map((line) => line.split(",").map((v) => (v === "" ? NaN : Number(v))));
const model = new Uint8Array(fs.readFileSync(process.argv[2]));
const session = await ort.InferenceSession.create(model, {executionProviders: ["wasm"]});
const x = new ort.Tensor("float32", Float32Array.from(rows.flat()), [rows.length, columns]);
const {prediction} = await session.run({x});
console.log(Array.from(prediction.data).join("\n"));
