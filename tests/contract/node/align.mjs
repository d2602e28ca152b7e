// An independent client: sends one request over the .proto file alone and prints the answer's bytes as JSON.
// usage: node align.mjs TARGET PROTO_DIR MODEL IMAGE_FILE SENTENCE…
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [target, protoDir, model, imageFile, ...sentences] = process.argv.slice(2);
const definition = loader.loadSync('wronglung/v1/alignment.proto', { includeDirs: [protoDir], keepCase: true, defaults: true });
const { AlignmentService } = grpc.loadPackageDefinition(definition).wronglung.v1;
const client = new AlignmentService(target, grpc.credentials.createInsecure());
const request = { model_name: model, image: readFileSync(imageFile), sentences };

client.Align(request, { deadline: Date.now() + 60000 }, (error, answer) => {
  if (error) {
    console.log(JSON.stringify({ status: error.code, details: error.details }));
  } else {
    const results = answer.results.map(({ alignment, error }) =>
      alignment
        ? { map: alignment.map.values.toString('base64'), opt_out_mass: alignment.opt_out_mass, words: alignment.words }
        : { error: error.code },
    );
    console.log(JSON.stringify({ digest: answer.model.weights_digest, covered: answer.frame.covered, results }));
  }
  client.close();
});
