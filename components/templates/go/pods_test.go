package main

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

func pod(name, phase string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Pod",
		"metadata":   map[string]any{"name": name, "namespace": "shop"},
		"status":     map[string]any{"phase": phase},
	}}
}

func client() *fake.FakeDynamicClient {
	kinds := map[schema.GroupVersionResource]string{pods: "PodList"}
	shop := []runtime.Object{pod("web-0", "Running"), pod("web-1", "Pending")}
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, shop...)
}

func TestAPodIsALine(t *testing.T) {
	var out strings.Builder
	if err := show(context.Background(), client().Resource(pods).Namespace("shop"), false, &out); err != nil {
		t.Fatal(err)
	}
	if want := "web-0 Running\nweb-1 Pending\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestAWatchGoesOnFromTheList(t *testing.T) {
	client, events := client(), watch.NewFake()
	client.PrependWatchReactor("pods", clienttesting.DefaultWatchReactor(events, nil))
	go func() {
		events.Modify(pod("web-1", "Running"))
		events.Delete(pod("web-0", "Running"))
		events.Error(&metav1.Status{Status: metav1.StatusFailure, Message: "enough", Code: 500})
	}()
	var out strings.Builder
	err := show(context.Background(), client.Resource(pods).Namespace("shop"), true, &out)
	if err == nil || err.Error() != "enough" {
		t.Errorf("got the error %v", err)
	}
	if want := "web-0 Running\nweb-1 Pending\nweb-1 Running\nweb-0 Deleted\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
