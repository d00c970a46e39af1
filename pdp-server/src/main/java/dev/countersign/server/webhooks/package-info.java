/** Tells receivers of a tenant's events by HTTP: signed, again until they have them, and kept where they never do. */
@NullMarked
package dev.countersign.server.webhooks;

import org.jspecify.annotations.NullMarked;
