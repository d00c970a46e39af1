/** Who is calling: API keys, persons and roles. */
@NullMarked
package dev.countersign.server.identity;

import org.jspecify.annotations.NullMarked;
