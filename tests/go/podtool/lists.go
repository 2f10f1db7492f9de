package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// list prints pods, by the typed client.
func (t *tool) list() *cobra.Command {
	return &cobra.Command{Use: "list", RunE: func(cmd *cobra.Command, _ []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		pods, err := set.CoreV1().Pods(namespace).List(cmd.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, pod := range pods.Items {
			fmt.Fprintf(t.Out, "%s\t%s\t%s\n", pod.Namespace, pod.Name, pod.Status.Phase)
		}
		return nil
	}}
}

// get prints objects of any type by the resource builder, which asks the server for its types.
func (t *tool) get() *cobra.Command {
	var all bool
	command := &cobra.Command{Use: "get TYPE [NAME]", Args: cobra.MinimumNArgs(1), RunE: func(_ *cobra.Command, arguments []string) error {
		_, _, namespace, err := t.client()
		if err != nil {
			return err
		}
		infos, err := resource.NewBuilder(t.flags).Unstructured().NamespaceParam(namespace).DefaultNamespace().
			AllNamespaces(all).ResourceTypeOrNameArgs(true, arguments...).Flatten().Do().Infos()
		if err != nil {
			return err
		}
		printer := printers.NewTablePrinter(printers.PrintOptions{WithNamespace: all, WithKind: true})
		for _, info := range infos {
			if err := printer.PrintObj(info.Object, t.Out); err != nil {
				return err
			}
		}
		return nil
	}}
	command.Flags().BoolVarP(&all, "all-namespaces", "A", false, "")
	return command
}

// informer prints the pods and deployments that informers have, and the changes of pods until there were enough.
func (t *tool) informer() *cobra.Command {
	var changes int
	command := &cobra.Command{Use: "informer", RunE: func(cmd *cobra.Command, _ []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		factory := informers.NewSharedInformerFactoryWithOptions(set, 0, informers.WithNamespace(namespace))
		pods, deployments := factory.Core().V1().Pods(), factory.Apps().V1().Deployments()
		changed := make(chan string, 100)
		synced := false
		_, err = pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(object any) {
				if synced {
					changed <- "added " + object.(metav1.Object).GetName()
				}
			},
			DeleteFunc: func(object any) {
				if gone, ok := object.(metav1.Object); ok {
					changed <- "deleted " + gone.GetName()
				}
			},
		})
		if err != nil {
			return err
		}
		deployments.Informer()
		factory.Start(cmd.Context().Done())
		factory.WaitForCacheSync(cmd.Context().Done())
		known, err := pods.Lister().Pods(namespace).List(labels.Everything())
		if err != nil {
			return err
		}
		managed, err := deployments.Lister().Deployments(namespace).List(labels.Everything())
		if err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "%d pods, %d deployments\n", len(known), len(managed))
		synced = true
		for range changes {
			fmt.Fprintln(t.Out, <-changed)
		}
		return nil
	}}
	command.Flags().IntVar(&changes, "changes", 0, "")
	return command
}

// many makes lists, several at a time.
func (t *tool) many() *cobra.Command {
	var count, parallel int
	command := &cobra.Command{Use: "many", RunE: func(cmd *cobra.Command, _ []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		begun := time.Now()
		var mutex sync.Mutex
		var objects int
		var failed error
		var group sync.WaitGroup
		work := make(chan struct{})
		for range parallel {
			group.Go(func() {
				for range work {
					list, err := set.CoreV1().Pods(namespace).List(cmd.Context(), metav1.ListOptions{})
					mutex.Lock()
					if err != nil {
						failed = err
					} else {
						objects += len(list.Items)
					}
					mutex.Unlock()
				}
			})
		}
		for range count {
			work <- struct{}{}
		}
		close(work)
		group.Wait()
		fmt.Fprintf(t.Out, "%d lists, %d pods\n", count, objects)
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		fmt.Fprintf(t.ErrOut, "%v, heap %d MiB\n", time.Since(begun), memory.HeapSys>>20)
		return failed
	}}
	command.Flags().IntVar(&count, "count", 200, "")
	command.Flags().IntVar(&parallel, "parallel", 4, "")
	return command
}
