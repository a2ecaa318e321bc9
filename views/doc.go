// Package views holds what people see: one package a subject, each page a
// templ component that takes a page struct of plain data. Views ask nobody
// anything and decide nothing but words and looks: what the reader may do
// comes as a boolean, what happened as data, and the sentences are made here.
//
// A handler fills the struct and renders the component of the same subject:
//
//	incidents.List(incidents.ListPage{Frame: frame, …})
//	incidents.Incident(incidents.IncidentPage{…})   incidents.Why(incidents.WhyPage{…})
//	link.Incident(link.Page{…})                     link.Expired(link.ExpiredPage{…})
//	oncall.Now(oncall.NowPage{…})                   oncall.List(…)   oncall.Schedule(oncall.SchedulePage{…})
//	policies.List(policies.ListPage{…})             policies.Policy(policies.Page{…})
//	services.List(services.ListPage{…})             services.Service(services.Page{…})
//	teams.List(teams.ListPage{…})                   teams.Team(teams.Page{…})
//	integrations.List(integrations.ListPage{…})     integrations.Integration(integrations.Page{…})
//	account.Account(account.Page{…})
//	people.List(people.ListPage{…})                 people.Person(people.Page{…})
//	signin.SignIn(signin.Page{…})                   signin.Setup(signin.SetupPage{…})
//	signin.Password(signin.PasswordPage{…})         signin.Spent(signin.SpentPage{…})
//	start.Start(start.Page{…})
//	fail.Fail(fail.Page{…})
//
// # Forms
//
// Every form works without JavaScript: it posts, the answer is 303 to a page
// with a layout.Flash, or 422 with the same page, what was typed, and each
// wrong element.Field marked. Cross-origin posts are refused by the server's
// header check, so that forms carry no token. The addresses that pages link
// and post to:
//
//	GET  /sign-in                       POST /sign-in          email, password, next
//	POST /sign-out
//	GET  /setup/{token}                 POST /setup/{token}    organization, name, email, timezone, password
//	GET  /password/{token}              POST /password/{token} password
//	GET  /start                         POST /start/service    service, team
//	                                    POST /start/test
//	GET  /incidents?tab&service&team&priority&q&before
//	                                    POST /incidents/acknowledge  number (repeated), tab
//	GET  /incidents/{n}                 POST /incidents/{n}/acknowledge
//	                                    POST /incidents/{n}/resolve   resolution
//	                                    POST /incidents/{n}/reopen
//	                                    POST /incidents/{n}/escalate
//	                                    POST /incidents/{n}/notes     note
//	                                    POST /incidents/{n}/priority  priority (level, empty for none), reason
//	GET  /incidents/{n}/pages/{id}
//	GET  /a/{token}                     POST /a/{token}        action=acknowledge|resolve, resolution
//	GET  /oncall?q
//	GET  /schedules                     GET  /schedules/{slug}?from=2026-11-23
//	GET  /policies                      GET  /policies/{slug}
//	GET  /services                      GET  /services/{slug}
//	GET  /teams                         GET  /teams/{slug}
//	GET  /integrations                  GET  /integrations/{slug}
//	                                    POST /integrations/{slug}/key      shows the key in the answer
//	                                    POST /integrations/{slug}/test
//	                                    POST /integrations/{slug}/rejected/{id}/replay
//	GET  /me                            POST /me/contacts      medium, address
//	                                    POST /me/contacts/{id}/code        sends a code
//	                                    POST /me/contacts/{id}/verify      code
//	                                    POST /me/contacts/{id}/remove
//	                                    POST /me/rules         urgency, contact and after (repeated)
//	                                    POST /me/profile       name, timezone
//	                                    POST /me/password      current, password
//	GET  /people                        POST /people           email, name, role
//	GET  /people/{id}                   POST /people/{id}      name, role
//	                                    POST /people/{id}/link
//
// # Live pages
//
// GET /live is a stream of server-sent events. An event named "incident" has
// the data {"number":17,"version":9}; the page fetches what changed by itself,
// with the header HX-Request. An event named "signal" has the data
// {"integration":"sre"}. The pages are whole documents in any case: htmx picks
// the part that it needs.
package views
