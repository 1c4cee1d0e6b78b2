# The program that makes archives, images, bills of materials and licence texts, as a project of the library.
{ target }:
{
  src = ./pack;
  inherit target;
  cargoHash = "sha256-+PFcowMCSUZD1X+H3EnYU482xfyVZpNqWk/wn3NX9sY=";
}
