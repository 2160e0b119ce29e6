export default { name: 'mlp', description: '', params: undefined, parseParams: () => ({}), build: () => undefined };
