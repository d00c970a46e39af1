/** The tools that the server itself runs, as its operator lists them. */
@NullMarked
package dev.countersign.server.tooling;

import org.jspecify.annotations.NullMarked;
