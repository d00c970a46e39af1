/** What happened in a tenant, as CloudEvents: made of the decision log, read in one order, waited for. */
@NullMarked
package dev.countersign.server.events;

import org.jspecify.annotations.NullMarked;
