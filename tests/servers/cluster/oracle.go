package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// question is one line of the oracle's input.
type question struct {
	Method string `json:"method"`
	// URL is path and query, as in a request line.
	URL string `json:"url"`
	// Rules are those of one role, bound in RoleNamespace, or cluster-wide without one.
	Rules         []rbacv1.PolicyRule `json:"rules"`
	RoleNamespace string              `json:"roleNamespace"`
}

// answer is one line of its output: the request's attributes as the API server resolves them, and RBAC's decision. Where
// there is an error, with which the API server rejects the request, the rest is empty.
type answer struct {
	Error             string `json:"error,omitempty"`
	IsResourceRequest bool   `json:"isResourceRequest"`
	Verb              string `json:"verb"`
	APIPrefix         string `json:"apiPrefix"`
	APIGroup          string `json:"apiGroup"`
	APIVersion        string `json:"apiVersion"`
	Namespace         string `json:"namespace"`
	Resource          string `json:"resource"`
	Subresource       string `json:"subresource"`
	Name              string `json:"name"`
	Path              string `json:"path"`
	Allowed           bool   `json:"allowed"`
}

// oracle answers each line of in by one on out, with the API server's own code and no server.
func oracle(in io.Reader, out io.Writer) error {
	// The prefixes are those of the API server's own configuration.
	resolver := &request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}
	answers := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		reply, err := judge(resolver, lines.Bytes())
		if err != nil {
			reply = answer{Error: err.Error()}
		}
		if err := answers.Encode(reply); err != nil {
			return err
		}
	}
	return lines.Err()
}

func judge(resolver *request.RequestInfoFactory, line []byte) (answer, error) {
	var ask question
	if err := json.Unmarshal(line, &ask); err != nil {
		return answer{}, err
	}
	r, err := http.NewRequest(ask.Method, "http://x"+ask.URL, nil)
	if err != nil {
		return answer{}, err
	}
	info, err := resolver.NewRequestInfo(r)
	if err != nil {
		return answer{}, err
	}
	attributes := authorizer.AttributesRecord{
		User: &user.DefaultInfo{Name: "x"}, Verb: info.Verb, Namespace: info.Namespace, APIGroup: info.APIGroup,
		APIVersion: info.APIVersion, Resource: info.Resource, Subresource: info.Subresource, Name: info.Name,
		ResourceRequest: info.IsResourceRequest, Path: info.Path,
	}
	bound := ask.RoleNamespace == "" || (info.IsResourceRequest && info.Namespace == ask.RoleNamespace)
	return answer{
		IsResourceRequest: info.IsResourceRequest, Verb: info.Verb, APIPrefix: info.APIPrefix, APIGroup: info.APIGroup,
		APIVersion: info.APIVersion, Namespace: info.Namespace, Resource: info.Resource, Subresource: info.Subresource,
		Name: info.Name, Path: info.Path, Allowed: bound && rbac.RulesAllow(attributes, ask.Rules...),
	}, nil
}
