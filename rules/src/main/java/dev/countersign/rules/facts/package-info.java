/** What a rule can read: one request, its typed attributes, and the tenant's parameters and lists. */
@NullMarked
package dev.countersign.rules.facts;

import org.jspecify.annotations.NullMarked;
