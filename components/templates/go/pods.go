package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

var pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// errOutput is the error of an output that no one reads any more, such as that into head.
var errOutput = errors.New("cannot write")

// show prints the pods, and with watch each change, until the user ends it.
func show(ctx context.Context, client dynamic.ResourceInterface, watch bool, out io.Writer) error {
	for {
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for i := range list.Items {
			if err := print(out, &list.Items[i], phase(&list.Items[i])); err != nil {
				return err
			}
		}
		if !watch {
			return nil
		}
		err = follow(ctx, client, list.GetResourceVersion(), out)
		// The server remembers no changes as old as that: the list has them.
		if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			return err
		}
	}
}

// follow prints each change since a version.
func follow(ctx context.Context, client dynamic.ResourceInterface, version string, out io.Writer) error {
	// The server ends a watch after some minutes, and the next one begins where it ended.
	for ctx.Err() == nil {
		events, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
		if err != nil {
			return err
		}
		defer events.Stop()
		for event := range events.ResultChan() {
			pod, isPod := event.Object.(*unstructured.Unstructured)
			if !isPod || event.Type == watch.Error {
				return apierrors.FromObject(event.Object)
			}
			version = pod.GetResourceVersion()
			switch event.Type {
			case watch.Added, watch.Modified:
				err = print(out, pod, phase(pod))
			case watch.Deleted:
				err = print(out, pod, "Deleted")
			}
			if err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func print(out io.Writer, pod *unstructured.Unstructured, phase string) error {
	if _, err := fmt.Fprintln(out, pod.GetName(), phase); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

func phase(pod *unstructured.Unstructured) string {
	phase, found, err := unstructured.NestedString(pod.Object, "status", "phase")
	if err != nil || !found {
		return "Unknown"
	}
	return phase
}
