/** What tenants store of the users, agents and things that requests name, and how decisions come by it. */
@NullMarked
package dev.countersign.server.entities;

import org.jspecify.annotations.NullMarked;
