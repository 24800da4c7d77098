/**
 * Shown at the address of a picture until the picture is published: WebP, 640 × 480, 0.9 kB, drawn as SVG (a framed
 * mountain in five shades of grey) and saved lossless once, because the API cannot encode images.
 */
export const placeholderImage: Buffer = Buffer.from(
  [
    "UklGRl4DAABXRUJQVlA4TFEDAAAvf8J3ACegEEAAxN+2kSHItvGX3fYTXJ5+/gP8tX4tSIxtO24binIBS1IAMkEB3gqwoN9/T5mQ",
    "H3iYj3kv64/oPyQ2khRJPohjpprplfq+m3xX6b/0X/ov/Zf+S/+l/9J/6b/0X/ov/fePp8e3u4W9+vh+IejVgl99Ue/G7MrusbbA",
    "1YWbtoJKTbElrnZmbmv4Su3xi1wR87KKK7X7xbv3OPDUS+CfS+04/vBy/Kiu8JVB7imvK/xkv3D7q3OJb62d2nPWJQarKzVfw/9p",
    "Qc3nTw9rvG/pv78ffbvbx7Ny2nF9l25u5+UNqineAjnR3L1l6popZl4kc/MXeEmms0JTMaW3xFownx0Pgrn1VrgKpvUuYyKYe++C",
    "ioLpXkTizy/9nkS/F6Tf3+36zY36HbeQ77iZfsdt9TtvIN95K/3Om8p33l6+dSO/bdYtxXnfUgplV0+r4ilmu3aaWVUIekB7Fwh6",
    "OLYKp5gdoptmdohsitkpqmlmp4immE1K2VXRzCalVVEUMzfoaKSJZuYGHY3og1rbKehoxB7UvZyCjkbsQfU+gehoRB5U7zOIjkbk",
    "YfWCjkbcYfWCjkbcQfWDjkbUQfWDjkbUIe0FHY2YQ9oLOhoxB7QfdDQiDmg/6GhE3HhHgo5GvI125ufyHN4GO/NniRfaBjvzd5kX",
    "2sY6828pP6yNdebf8n5YA4t/onohDSz+g6IX0saKBB2NOBv76CNBRyPOhooFHY0oGyoWdDSibKRo0NGIsZGiQUcjxgYKBx6NCBso",
    "HHg0IqxfOBNGI776hTNhNOJruPiJeiR0DRdfKIKErtHiC5WwsDVafKEcFrY6nZBJoxFZnU7IpNGILL+TUrcND1d+J2XfNjxcDRW/",
    "oM6MUDVU/IJiM0KV04lXc8LUuTPNCVHVabTwZE6jhSen8UJRp/FCkd+IYchvxDDkNmYIchszBHmNGn68Rg0/TuOGHqdxQ8+5kcPO",
    "uZHD0Ndtix1uXk5i58Zv34t1C577gTD71py1SnHXbN+kzd16NLl9u64QfvvGDZ+P3xf7Fn75Qb2Nb6+yb2v99g2u377V5ds3vYj7",
    "9hfuhVzV+8cbqnz/N8dlk+8q/Zf+S/+l/9J/6b/0X/ov/Zf+S/+l//7ptAEA",
  ].join(""),
  "base64",
);
