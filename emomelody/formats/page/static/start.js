// Read what the page holds, and show it.

// Text that was compressed by gzip, from base64.
async function unpack(text) {
  const stream = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const data = JSON.parse(document.getElementById("player-data").textContent);
const player = new Player(document.querySelector(".player"), data);
if (data.packed) {
  unpack(data.packed).then((text) => {
    const { scores, font, places } = JSON.parse(text);
    player.places = places;
    player.scores = scores.map((score) => score.replace(/<\/svg>\s*$/, () => `${font}</svg>`));
    player.describe();
    player.show();
  });
}
