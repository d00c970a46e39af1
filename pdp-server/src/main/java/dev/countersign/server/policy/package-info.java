/** What judges each tenant: read from PostgreSQL when it is first needed, held in memory, and kept fresh. */
@NullMarked
package dev.countersign.server.policy;

import org.jspecify.annotations.NullMarked;
