/** Rule packs while the server runs: those in files, watched, and those that are published over HTTP. */
@NullMarked
package dev.countersign.server.packs;

import org.jspecify.annotations.NullMarked;
