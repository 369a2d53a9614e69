// sharp (Node): designs shrunk into memory, one composite. Run as: node sharp.cjs JOB.json SHEET.png
// Needs the package sharp where node finds it: `npm install sharp` in this folder or above, or NODE_PATH.

const fs = require("fs");
const sharp = require("sharp");

const [file, target] = process.argv.slice(2);
const job = JSON.parse(fs.readFileSync(file, "utf8"));

async function shrink(placement) {
  const { data, info } = await sharp(job.designs[placement.design])
    .resize(placement.width, placement.height, { fit: "fill", kernel: "lanczos3" })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { input: data, raw: { width: info.width, height: info.height, channels: 4 }, limitInputPixels: false };
}

async function main() {
  const designs = new Map();
  const layers = [];
  for (const placement of job.placements) {
    const key = `${placement.design} ${placement.width} ${placement.height}`;
    if (!designs.has(key)) designs.set(key, await shrink(placement));
    layers.push({ ...designs.get(key), left: placement.x, top: placement.y });
  }
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  await sharp({ create: { width: job.width, height: job.height, channels: 4, background }, limitInputPixels: false })
    .composite(layers)
    .withMetadata({ density: job.dpi })
    .png()
    .toFile(target);
}

main();
