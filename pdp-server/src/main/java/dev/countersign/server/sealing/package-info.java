/** The seal on the audit trail: approval events in a chain, and signed checkpoints of that and of the decision log. */
@NullMarked
package dev.countersign.server.sealing;

import org.jspecify.annotations.NullMarked;
