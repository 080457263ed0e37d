// Package components is the list of everything that our daprd can load.
//
// A stock daprd links every component that exists; ours links the few that the
// system's own wiring names, which keeps the build to minutes and the binary
// free of code that nobody runs. Adding a component is one line here.
package components

import (
	"github.com/dapr/components-contrib/bindings/cron"
	"github.com/dapr/components-contrib/bindings/http"
	"github.com/dapr/components-contrib/bindings/postgres"
	"github.com/dapr/components-contrib/nameresolution/nameformat"
	"github.com/dapr/components-contrib/pubsub/kafka"
	"github.com/dapr/components-contrib/secretstores/local/env"
	pgv1 "github.com/dapr/components-contrib/state/postgresql/v1"
	"github.com/dapr/dapr/pkg/components"
	"github.com/dapr/dapr/pkg/components/bindings"
	"github.com/dapr/dapr/pkg/components/nameresolution"
	"github.com/dapr/dapr/pkg/components/pubsub"
	"github.com/dapr/dapr/pkg/components/secretstores"
	"github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/kit/logger"

	"patient-management-system/dapr/runtime/dns"
	"patient-management-system/dapr/runtime/loopback"
	"patient-management-system/dapr/runtime/pipeline"
	"patient-management-system/dapr/runtime/queues"
	"patient-management-system/dapr/runtime/secretfile"
	"patient-management-system/dapr/runtime/secretmanager"
	"patient-management-system/dapr/runtime/streams"
)

// Registry answers the components that daprd may load, all of them logging
// to log. Kinds that are absent (locks, cryptography, middleware, ...) keep
// Dapr's own, empty, registries: a resource of such a kind fails at start with
// a message that names it.
func Registry(log logger.Logger) *registry.Options {
	return registry.NewOptions().
		WithStateStores(stateStores(log)).
		WithPubSubs(pubSubs(log)).
		WithBindings(externalBindings(log)).
		WithSecretStores(secretStores(log)).
		WithNameResolutions(resolvers(log))
}

// stateStores keeps Dapr's rule that a component without a version means v1,
// so that a resource file means the same here and in a stock daprd. Ours say
// `version: v2`.
func stateStores(log logger.Logger) *state.Registry {
	r := state.NewRegistry()
	r.Logger = log
	for _, name := range []string{"postgresql", "postgres"} {
		r.RegisterComponentWithVersions(name, components.Versioning{
			Preferred: components.VersionConstructor{Version: "v2", Constructor: pipeline.New},
			Others:    []components.VersionConstructor{{Version: "v1", Constructor: pgv1.NewPostgreSQLStateStore}},
			Default:   "v1",
		})
	}
	return r
}

func pubSubs(log logger.Logger) *pubsub.Registry {
	r := pubsub.NewRegistry()
	r.Logger = log
	r.RegisterComponent(kafka.NewKafka, "kafka")
	r.RegisterComponent(streams.New, "redis")
	r.RegisterComponent(queues.New, "rabbitmq")
	return r
}

func externalBindings(log logger.Logger) *bindings.Registry {
	r := bindings.NewRegistry()
	r.Logger = log
	r.RegisterOutputBinding(postgres.NewPostgres, "postgresql", "postgres")
	r.RegisterInputBinding(cron.NewCron, "cron")
	r.RegisterOutputBinding(http.NewHTTP, "http")
	return r
}

func secretStores(log logger.Logger) *secretstores.Registry {
	r := secretstores.NewRegistry()
	r.Logger = log
	r.RegisterComponent(secretfile.New, "local.file")
	r.RegisterComponent(env.NewEnvSecretStore, "local.env")
	r.RegisterComponent(secretmanager.New, "aws.secretmanager")
	return r
}

func resolvers(log logger.Logger) *nameresolution.Registry {
	r := nameresolution.NewRegistry()
	r.Logger = log
	r.RegisterComponent(loopback.New, loopback.Name)
	r.RegisterComponent(dns.New, dns.Name)
	r.RegisterComponent(nameformat.NewResolver, "nameformat")
	return r
}
