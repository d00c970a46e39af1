/** What became of things that are kept by version, after they have changed or gone. */
@NullMarked
package dev.countersign.server.history;

import org.jspecify.annotations.NullMarked;
