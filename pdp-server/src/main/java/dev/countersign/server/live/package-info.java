/** What a server holds in memory out of PostgreSQL, and how it stays fresh. */
@NullMarked
package dev.countersign.server.live;

import org.jspecify.annotations.NullMarked;
