/** The server: its parts put together, started and stopped. */
@NullMarked
package dev.countersign.server;

import org.jspecify.annotations.NullMarked;
